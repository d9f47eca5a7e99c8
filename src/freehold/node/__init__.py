"""Where the rules meet an engine and agents meet their ports; the only package that reads the configuration."""
