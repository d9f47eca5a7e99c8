"""Model families: what is asked of the sums over a group, and how weights follow from the answers."""
