// Imported by tests of native code that is to be what users get. The suite compiles with little optimization, because its
// thousands of small programs take longer to optimize than to run; flags that somebody has asked for stay.
if (process.env.MILLRACE_CFLAGS === '-O1') delete process.env.MILLRACE_CFLAGS;
