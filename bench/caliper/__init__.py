"""Hyperledger Caliper, with which the paper measured, for every engine: actions, nodes, and what Caliper reports."""
