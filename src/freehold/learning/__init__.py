"""Training on integers: what a cloud owner computes, what a model owner solves, and the bytes between them."""
