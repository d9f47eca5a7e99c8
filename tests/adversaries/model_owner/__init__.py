"""What a model owner tries: first with its ciphertexts, then with rounds and money."""
