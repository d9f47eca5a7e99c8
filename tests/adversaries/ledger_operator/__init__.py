"""Whoever runs the node: it orders what is accepted, and tells everybody what was."""
