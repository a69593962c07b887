"""The bus: what is on disk becomes publications, and is struck out once a broker signed for it."""
