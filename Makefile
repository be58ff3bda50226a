.PHONY: setup
setup:
	@python3 tools/setup.py
