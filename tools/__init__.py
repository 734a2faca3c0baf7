"""What makes and checks the generated files of the repository; not shipped."""
