"""What tests share: other users, a real terminal, a laboratory with two NFS clients."""
