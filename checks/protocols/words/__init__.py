"""What servers say of themselves, in words: of any protocol, in any language."""
