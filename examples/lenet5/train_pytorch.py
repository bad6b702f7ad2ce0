"""Trains the article's LeNet-5 and the classical one in PyTorch, and saves each as a state_dict and as a whole module.

Both are nn.Sequential of torch.nn's own classes, so a whole-module file holds nothing else. The softmax is the last
module, so that the outputs are probabilities; the loss is taken from the logits before it.
"""

import copy
from collections import OrderedDict

import digits
import torch
from torch import nn

BATCH = 32
PATIENCE = 4


def article_net():
    """The third convolution sees the whole 5x5 map, so the flatten has one position a channel: order cannot go wrong."""
    return nn.Sequential(
        nn.Conv2d(1, 6, kernel_size=5, padding="same"),
        nn.Tanh(),
        nn.AvgPool2d(2),
        nn.Conv2d(6, 16, kernel_size=5),
        nn.Tanh(),
        nn.AvgPool2d(2),
        nn.Conv2d(16, 120, kernel_size=5),
        nn.Tanh(),
        nn.Flatten(),
        nn.Linear(120, 84),
        nn.Tanh(),
        nn.Linear(84, 10),
        nn.Softmax(dim=1),
    )


def classical_net():
    """The flatten of 16 channels of 5x5 meets a dense layer: PyTorch's rows are in c,h,w order, Keras' in h,w,c order."""
    return nn.Sequential(
        OrderedDict(
            [
                ("c1", nn.Conv2d(1, 6, kernel_size=5, padding=2)),
                ("c1_tanh", nn.Tanh()),
                ("s2", nn.AvgPool2d(2)),
                ("c3", nn.Conv2d(6, 16, kernel_size=5)),
                ("c3_tanh", nn.Tanh()),
                ("s4", nn.AvgPool2d(2)),
                ("flatten", nn.Flatten()),
                ("c5", nn.Linear(16 * 5 * 5, 120)),
                ("c5_tanh", nn.Tanh()),
                ("f6", nn.Linear(120, 84)),
                ("f6_tanh", nn.Tanh()),
                ("output", nn.Linear(84, 10)),
                ("softmax", nn.Softmax(dim=1)),
            ]
        )
    )


def tensors(part):
    return torch.from_numpy(part.images).unsqueeze(1), torch.from_numpy(part.labels)


@torch.no_grad()
def evaluate(model, images, labels):
    """The mean cross-entropy and the share of right answers."""
    model.eval()
    logits = model[:-1](images)
    loss = nn.functional.cross_entropy(logits, labels).item()
    return loss, (logits.argmax(1) == labels).double().mean().item()


def train_one_epoch(model, optimizer, images, labels, random):
    model.train()
    for rows in torch.randperm(len(labels), generator=random).split(BATCH):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model[:-1](images[rows]), labels[rows]).backward()
        optimizer.step()


def train(model, data, seed, epochs):
    """Stops when the validation loss has not improved for PATIENCE epochs, and puts the best weights back."""
    images, labels = tensors(data.train)
    validation = tensors(data.validation)
    random = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(model.parameters())
    best_loss, best_epoch, best_state = float("inf"), 0, None
    for epoch in range(1, epochs + 1):
        train_one_epoch(model, optimizer, images, labels, random)
        loss, accuracy = evaluate(model, *validation)
        print(f"epoch {epoch}: validation loss {loss:.4f}, accuracy {accuracy:.4f}")
        if loss < best_loss:
            # state_dict() hands out the live tensors: without the copy, "best" would follow the training.
            best_loss, best_epoch, best_state = loss, epoch, copy.deepcopy(model.state_dict())
        elif epoch - best_epoch >= PATIENCE:
            break
    model.load_state_dict(best_state)
    if evaluate(model, *validation)[0] != best_loss:
        raise SystemExit("the best weights were not restored")
    print(f"best epoch {best_epoch} of {epoch}")


def main():
    options = digits.arguments("PyTorch")
    data = digits.load(options.data)
    options.output.mkdir(parents=True, exist_ok=True)
    torch.use_deterministic_algorithms(True)
    print(f"PyTorch {torch.__version__}, seed {options.seed}, {data.source}")
    # A seed each: from one seed the two, which compute the same functions, would come out with the same weights.
    nets = [("lenet5", article_net, options.seed), ("lenet5_classical", classical_net, options.seed + 1)]
    for name, make, seed in nets:
        torch.manual_seed(seed)
        model = make()
        train(model, data, seed, options.epochs)
        _, accuracy = evaluate(model, *tensors(data.test))
        parameters = sum(parameter.numel() for parameter in model.parameters())
        print(f"{name}: {parameters} parameters, test accuracy {accuracy:.4f} of {len(data.test)} digits")
        torch.save(model.state_dict(), options.output / f"{name}.pt")
        torch.save(model, options.output / f"{name}_module.pt")


if __name__ == "__main__":
    main()
