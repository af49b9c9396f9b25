"""What ``doctor`` looks at, part by part; each part yields findings and fails as none."""
