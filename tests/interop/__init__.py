"""Code that is not ours reads what we sign and prove."""
