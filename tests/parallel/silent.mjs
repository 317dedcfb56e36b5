// Lives on and serves nothing.
setInterval(() => undefined, 1000);
