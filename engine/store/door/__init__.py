"""What the store lets in: who was erased and what a policy keeps out are left off before anything is staged."""
