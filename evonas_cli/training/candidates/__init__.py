"""One candidate's evaluation from its genome to its metrics."""
