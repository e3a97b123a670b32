"""Training and scoring of supernets; one file for each rule by which shared weights and operations are trained."""
