"""`vlm bench`: how fast and how large, beside llama.cpp and transformers on the same machine in the same run."""
