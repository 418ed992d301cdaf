"""Mutation testing in three parts: what can be changed, which tests run a line, and what the tests say to a change."""
