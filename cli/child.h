/* Another program, run as a shell would and waited for. */
#ifndef VMAIL_CLI_CHILD_H
#define VMAIL_CLI_CHILD_H

enum { CHILD_NOT_EXECUTABLE = 126, CHILD_NOT_FOUND = 127, CHILD_SIGNAL = 128 };

/*
 * Runs argv[0], looked for in PATH. Its exit status; CHILD_SIGNAL and the
 * number of the signal that ended it; one of the other two, and it has been
 * said, where it did not start. It inherits no descriptor that we opened.
 * Signals of the terminal are the child's alone meanwhile; one that ends us
 * ends it first; and it does not outlive us.
 */
int child_run(char *const *argv);

#endif
