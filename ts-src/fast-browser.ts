// import "tapir/fast" outside of Node: nothing to ask for, these engines have fused multiply-add.
export {};
