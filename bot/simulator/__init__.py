"""The LINE platform in miniature, a phone in the browser and one in the terminal. Nothing here runs in production."""
