"""Events as others see them: the one document that is waited for, streamed and sent to webhooks."""
