// How Node is started on a gateway: by the program's first line in a checkout, by /usr/bin/windfarm of the package.
//
// A small young generation: the agent's garbage dies at once, so larger ones only cost memory (136 MB instead of 84 under
// full load), and no throughput. It is collected by the thread that made it: for one megabyte, waking helpers costs more
// than they do, a twelfth of all CPU time while shipping. The old generation is collected when it has grown by a quarter,
// where V8 would let so small a heap grow to four times what lives in it: 70 MB of dead connections when clients come and go
// by the hundred a second. With a threshold of its own glibc no longer learns from large buffers to keep them: what many
// connections took at once goes back to the system.
export const GATEWAY_FLAGS = ["--max-semi-space-size=1", "--heap-growing-percent=25", "--single-threaded-gc"];

export const GATEWAY_ENVIRONMENT = ["MALLOC_TRIM_THRESHOLD_=8388608", "MALLOC_ARENA_MAX=1"];
