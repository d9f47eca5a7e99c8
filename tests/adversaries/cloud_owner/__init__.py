"""What a cloud owner tries."""
