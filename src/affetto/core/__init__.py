"""The nouns: what everything else is said in. Carries numpy and no framework."""
