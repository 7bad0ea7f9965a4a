"""What gives feelings back: made talks with drawn faces and made voices, whose truth is known to the frame."""
