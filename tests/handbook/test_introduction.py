"""The introduction's cells on the exclusive or: the classes' names and calls, its lines unchanged."""

# ruff: noqa: PLW2901

import torch
from torch import nn
from torch.utils import data

from gradlab import rng
from gradlab.data import XORDataset
from gradlab.models import SimpleClassifier

device = torch.device("cpu")


def train_model(model, optimizer, data_loader, loss_module, num_epochs=100):
    model.train()
    for _epoch in range(num_epochs):
        for data_inputs, data_labels in data_loader:
            data_inputs = data_inputs.to(device)
            data_labels = data_labels.to(device)
            preds = model(data_inputs)
            preds = preds.squeeze(dim=1)
            loss = loss_module(preds, data_labels.float())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


def test_printed_network_and_parameters():
    model = SimpleClassifier(num_inputs=2, num_hidden=4, num_outputs=1)
    assert str(model) == (
        "SimpleClassifier(\n"
        "  (linear1): Linear(in_features=2, out_features=4, bias=True)\n"
        "  (act_fn): Tanh()\n"
        "  (linear2): Linear(in_features=4, out_features=1, bias=True)\n"
        ")"
    )
    printed = [f"Parameter {name}, shape {param.shape}" for name, param in model.named_parameters()]
    assert printed == [
        "Parameter linear1.weight, shape torch.Size([4, 2])",
        "Parameter linear1.bias, shape torch.Size([4])",
        "Parameter linear2.weight, shape torch.Size([1, 4])",
        "Parameter linear2.bias, shape torch.Size([1])",
    ]


def test_dataset_and_loader():
    dataset = XORDataset(size=200)
    assert len(dataset) == 200
    point, label = dataset[0]
    assert point.shape == (2,)
    assert label in (0, 1)
    data_loader = data.DataLoader(dataset, batch_size=8, shuffle=True)
    data_inputs, data_labels = next(iter(data_loader))
    assert data_inputs.shape == torch.Size([8, 2])
    assert data_labels.shape == torch.Size([8])


def test_training_saving_and_loading(tmp_path):
    with rng.global_stream(0, "introduction"):
        model = SimpleClassifier(num_inputs=2, num_hidden=4, num_outputs=1)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        train_dataset = XORDataset(size=2500)
        train_data_loader = data.DataLoader(train_dataset, batch_size=128, shuffle=True)
        test_dataset = XORDataset(size=500)
        train_model(model, optimizer, train_data_loader, nn.BCEWithLogitsLoss())
    with torch.no_grad():
        right = ((model(test_dataset.data).squeeze(1) > 0).long() == test_dataset.label).double().mean()
    assert right >= 0.99  # the handbook's run: 100.00 %

    torch.save(model.state_dict(), tmp_path / "our_model.tar")
    new_model = SimpleClassifier(num_inputs=2, num_hidden=4, num_outputs=1)
    new_model.load_state_dict(torch.load(tmp_path / "our_model.tar"))
    assert all(torch.equal(old, new_model.state_dict()[name]) for name, old in model.state_dict().items())
