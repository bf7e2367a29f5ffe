"""The subcommands of `skeldir`, one module each."""
