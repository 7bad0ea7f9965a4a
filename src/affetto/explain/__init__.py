"""Why a model answered as it did: explanations as Tracks."""
