"""What readers of other people's logs share: files → documents, documents → what they say."""
