"""What is special about the sandbox."""


def is_sandbox_key(api_key: str) -> bool:
    """Whether a key belongs to the sandbox: nothing that it does leaves the server."""
    return api_key.startswith("pk_test_")


def sandbox_code(code_length: int = 6) -> str:
    """The code of every verification that a sandbox key starts: zeros, as many as its `code_length`."""
    return "0" * code_length
