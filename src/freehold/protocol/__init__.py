"""Words: what can be said in the market, byte for byte. Types and bytes only; nothing here decides anything."""
