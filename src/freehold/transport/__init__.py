"""How the parts of Freehold speak HTTP with each other: what an error looks like, and a client that trusts nobody."""
