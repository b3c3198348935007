"""What plugins bring, and where it is looked up."""
