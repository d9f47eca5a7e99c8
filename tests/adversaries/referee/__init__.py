"""What a referee tries, who alone can burn a stake."""
