"""`python -m aircall_core`: see cli/."""

from aircall_core.cli import main

if __name__ == "__main__":
    main()
