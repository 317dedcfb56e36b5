// Cannot be loaded.
throw new TypeError("broken on purpose");
