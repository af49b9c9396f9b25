"""What the screens say, made of the registry's records: rows, columns and lines, without an app."""
