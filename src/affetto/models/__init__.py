"""Who adds answers: a folder a modality, cards beside the code."""
