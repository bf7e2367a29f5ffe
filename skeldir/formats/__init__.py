"""Tables as files of others: each format takes rows in batches and gives bytes, in constant memory."""
