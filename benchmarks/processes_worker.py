"""One training program of several processes, in windows of which the first one is told, as in worker.py.

    mpiexec -n 2 python processes_worker.py rnnlm_bulk ours --minibatch 16 --shards 8
    python processes_worker.py rnnlm_bulk torch --minibatch 16 --processes 2

"ours" is the trainer of dynet.distributed; "torch" is DistributedDataParallel over gloo, whose other
processes the first one starts. All make as many updates as the first one says: nothing is asked in between.
"""

import argparse
import os
import socket
import subprocess
import sys
import time

from tasks import TASKS
from worker import Driver, load_dynet, load_torch, report

PAUSE = 0.002  # seconds between two looks for a message, so that who waits leaves its core to others


def parse_arguments():
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("task", choices=TASKS)
    parser.add_argument("toolkit", choices=("ours", "torch"))
    parser.add_argument("--minibatch", type=int, default=16)
    parser.add_argument("--shards", type=int, default=8)
    parser.add_argument("--processes", type=int, default=1, help="PyTorch: how many there are")
    parser.set_defaults(autobatch=None, memory="1024", params=None, save=None, threads=1, batching="batched")
    return parser.parse_args()


def length(example):
    """The number of words of a sentence of either corpus."""
    return len(example[0]) if isinstance(example, tuple) else len(example)


class Ours:
    """A model of DyNet, whose gradients are summed over the processes of MPI."""

    def __init__(self, task, arguments):
        from mpi4py import MPI

        self.comm = MPI.COMM_WORLD.Dup()
        self.rank = self.comm.Get_rank()
        self.model, self.version = load_dynet(task, arguments)
        import dynet as dy

        self.trainer = dy.distributed.Trainer(
            self.model.trainer, shards=arguments.shards, key=length, check_every=0
        )
        self.parts = {}

    def tell(self, count):
        """What the first process says, in all of them."""
        if self.rank == 0:
            for other in range(1, self.comm.Get_size()):
                self.comm.send(count, dest=other)
            return count
        while not self.comm.Iprobe(source=0):
            time.sleep(PAUSE)
        return self.comm.recv(source=0)

    def prepare(self, batch):
        """Parts are prepared when they are first seen, as those of other programs are beforehand."""
        return batch

    def loss(self, part):
        """The summed loss of a part of a minibatch."""
        key = tuple(map(id, part))
        if key not in self.parts:
            self.parts[key] = self.model.prepare(part)
        return self.model.loss(self.parts[key])

    def step(self, batch):
        """One update."""
        return self.trainer.step(batch, self.loss)


class Torch:
    """The padded program of PyTorch under DistributedDataParallel; each process has a part of a minibatch."""

    def __init__(self, task, arguments):
        self.rank, self.count = int(os.environ.get("RANK", "0")), arguments.processes
        if self.rank == 0:
            self.start_others()
        self.model, self.version = load_torch(task, arguments)
        import torch

        torch.distributed.init_process_group("gloo", rank=self.rank, world_size=self.count)
        self.torch = torch
        self.parallel = torch.nn.parallel.DistributedDataParallel(self.module())

    def start_others(self):
        """Starts this program for each other process."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(free.getsockname()[1]))
        for rank in range(1, self.count):
            subprocess.Popen(
                [sys.executable, *sys.argv],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env={**os.environ, "RANK": str(rank)},
            )

    def module(self):
        """The loss of a prepared part, as a module."""
        model, torch = self.model, self.torch

        class Loss(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.model = model

            def forward(self, part):
                if hasattr(model, "batch_loss"):
                    return model.batch_loss(part)
                return sum(model(group) for group in part)

        return Loss()

    def tell(self, count):
        """What the first process says, in all of them."""
        number = self.torch.tensor([count])
        self.torch.distributed.broadcast(number, 0)
        return int(number.item())

    def prepare(self, batch):
        """The part of this process."""
        first, last = (len(batch) * rank // self.count for rank in (self.rank, self.rank + 1))
        return self.model.prepare(batch[first:last])

    def step(self, part):
        """One update."""
        return self.model.training_step.step(self.parallel(part))


def window(driver, count):
    """So many updates, as a rate."""
    start, started = time.perf_counter(), time.process_time()
    words = sum(driver.step()[1] for _ in range(count))
    seconds = time.perf_counter() - start
    return {
        "event": "window",
        "sentences_per_second": words * driver.sentences_per_word / seconds,
        "seconds": seconds / count,
        "cores_used": (time.process_time() - started) / seconds,
    }


def serve(driver, program):
    """Warms up; then runs a window for each line of the first process's input."""
    losses = [driver.step() for _ in driver.prepared]
    seconds = window(driver, len(driver.prepared))["seconds"]
    if program.rank == 0:
        loss, words = losses[0]
        report({"event": "ready", "version": program.version, "loss_per_word": loss / words})
        for line in sys.stdin:
            command, *values = line.split() or [""]
            if command != "window":
                break
            fields = window(driver, program.tell(max(1, round(float(values[0]) / seconds))))
            seconds = fields["seconds"]
            report(fields)
        program.tell(0)
        return
    while count := program.tell(0):
        window(driver, count)


def main():
    """Sets up the program in this process."""
    arguments = parse_arguments()
    task = TASKS[arguments.task]
    program = {"ours": Ours, "torch": Torch}[arguments.toolkit](task, arguments)
    serve(Driver(task, program, arguments.minibatch, "wall"), program)


if __name__ == "__main__":
    main()
