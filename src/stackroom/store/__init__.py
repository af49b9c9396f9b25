"""The only code that touches the disk: reading a tree that others change, and changing it one new name at a time.

Nothing is locked and nothing is modified in place. Everything below a registry is reached through directory descriptors
without following symlinks, because whoever may write there may also be an adversary.
"""
