"""What a data owner tries."""
