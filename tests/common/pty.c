/* Runs a program on its own pseudo-terminal, for tests.
 *
 *     pty COLUMNS ROWS PROGRAM [ARGUMENT]...
 *
 * Standard input is typed on the terminal, and the output of the program goes to standard output. The
 * end of standard input closes the terminal. SIGUSR1 makes it one column wide and one row high. The exit
 * code is that of the program, or 128 plus the signal that ended it.
 */
#include <errno.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t shrinks;

static void shrink(int signal) {
    (void)signal;
    shrinks = 1;
}

static void copy(const char *bytes, ssize_t size, int to) {
    while (size > 0) {
        ssize_t written = write(to, bytes, size);
        if (written <= 0) return;
        bytes += written;
        size -= written;
    }
}

int main(int argc, char **argv) {
    if (argc < 4) return 2;
    struct winsize size = {.ws_col = atoi(argv[1]), .ws_row = atoi(argv[2])};
    int terminal;
    pid_t child = forkpty(&terminal, NULL, NULL, &size);
    if (child < 0) return 2;
    if (child == 0) {
        /* The tests may run with these signals ignored, as in a background job of a script. */
        int signals[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM};
        for (size_t index = 0; index < sizeof signals / sizeof *signals; index++) signal(signals[index], SIG_DFL);
        execvp(argv[3], argv + 3);
        _exit(127);
    }
    struct sigaction action = {.sa_handler = shrink};
    sigaction(SIGUSR1, &action, NULL);
    struct pollfd ends[2] = {{.fd = terminal, .events = POLLIN}, {.fd = STDIN_FILENO, .events = POLLIN}};
    char bytes[65536];
    for (;;) {
        int ready = poll(ends, 2, -1);
        if (shrinks) {
            shrinks = 0;
            struct winsize least = {.ws_col = 1, .ws_row = 1};
            ioctl(terminal, TIOCSWINSZ, &least);
        }
        if (ready < 0) {
            if (errno == EINTR) continue;
            break;
        }
        if (ends[0].revents) {
            ssize_t got = read(terminal, bytes, sizeof bytes);
            if (got <= 0) break;
            copy(bytes, got, STDOUT_FILENO);
        }
        if (ends[1].revents) {
            ssize_t got = read(STDIN_FILENO, bytes, sizeof bytes);
            if (got <= 0) break;
            copy(bytes, got, terminal);
        }
    }
    close(terminal);
    int status;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
