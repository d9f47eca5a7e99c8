"""The market on one machine: real processes that type what members type, and what they leave behind."""
