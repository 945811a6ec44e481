"""Reader studies: people answer the questions that models were asked, about the frames that models saw."""
