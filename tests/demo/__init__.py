"""Tests of the demo: what it refuses, what it leaves behind, and one whole market of real processes."""
