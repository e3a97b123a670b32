"""Networks that describe images: teacher forcing, captions made word by word, and their scores."""
