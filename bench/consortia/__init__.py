"""What several operators cost and withstand: networks of CometBFT under load, and with faults on every link.

validators  folders of operators who founded a network, and how each node is started
members     who waits for whom: a workload cut into the turns of its people
crowd       people who act at one engine, each waiting for outcomes
seat        an operator's process: engine and clients
speed       seats under load, measured
standing    networks in this process that are asked whether anything was lost
toxiproxy   one proxy for each way from one operator to another
links       latencies, narrow links, links that are cut or half open
faults      operators that are down, cut off, killed, or lie
fabric      where Hyperledger Fabric will be measured
"""
