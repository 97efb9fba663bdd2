"""Many answers at once: our own forward pass over slots, a batch that requests join and leave, and caches."""
