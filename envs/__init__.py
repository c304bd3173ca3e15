"""Problems of low-carbon networking and their simulation."""
