// The conversation as one flat list of blocks. It follows the end while the reader is there, keeps the
// reader's place otherwise, and turns drags into one selection over all rows.
pragma ComponentBehavior: Bound
import QtQuick
import Paluku
import PalukuApp

FocusScope {
    id: transcript

    required property AppController app
    readonly property ChatController chat: app.chat
    readonly property string conversationId: app.conversations.currentId
    readonly property alias following: view.following
    property alias currentRow: view.focusedRow
    property string hoveredTurn: ""
    // The ring of focus is for keys; a click moves the focus, too, but draws none.
    property bool byKeys: true
    property var places: ({})

    activeFocusOnTab: true
    Accessible.role: Accessible.List
    Accessible.name: qsTr("Conversation")

    function toEnd(): void {
        view.following = true;
        view.stick();
    }
    function showTurn(row: int): void {
        byKeys = true;
        view.focusedRow = row;
        view.positionViewAtIndex(row, ListView.Contain);
        view.following = view.distanceToEnd() <= Theme.stickDistance;
    }
    function lastTurn(): int {
        return chat.transcript.nextTurn(chat.transcript.previousTurn(view.count - 1));
    }
    function step(direction: int): void {
        const from = view.focusedRow >= 0 ? view.focusedRow : view.count - 1;
        showTurn(direction < 0 ? chat.transcript.previousTurn(from) : chat.transcript.nextTurn(from));
    }
    function copy(): void {
        if (!chat.selection.copy() && view.focusedRow >= 0)
            chat.copyTurn((view.itemAtIndex(view.focusedRow) as TurnRow).turnId);
    }
    function keepPlace(): void {
        const row = view.indexAt(view.width / 2, view.contentY);
        const item = view.itemAtIndex(row);
        places[conversationId] = view.following || !item ? null : { row: row, offset: view.contentY - item.y };
    }
    function restorePlace(): void {
        const place = places[conversationId];
        view.focusedRow = -1;
        view.following = !place;
        view.forceLayout();
        if (!place) {
            view.stick();
            return;
        }
        view.positionViewAtIndex(place.row, ListView.Beginning);
        view.contentY += place.offset;
    }

    onActiveFocusChanged: if (!activeFocus) byKeys = true
    Keys.onUpPressed: step(-1)
    Keys.onDownPressed: step(1)
    Keys.onPressed: event => {
        event.accepted = true;
        if (event.matches(StandardKey.Copy))
            copy();
        else if (event.matches(StandardKey.SelectAll))
            view.focusedRow >= 0 && !chat.selection.hasSelection ? chat.selection.selectTurn(view.focusedRow) : chat.selection.selectAll();
        else if (event.key === Qt.Key_PageUp)
            view.page(-1);
        else if (event.key === Qt.Key_PageDown || event.key === Qt.Key_Space)
            view.page(1);
        else if (event.key === Qt.Key_Home)
            transcript.showTurn(0);
        else if (event.key === Qt.Key_End)
            transcript.toEnd();
        else if ((event.key === Qt.Key_Left || event.key === Qt.Key_Right) && event.modifiers & Qt.ShiftModifier)
            chat.selection.moveHead(event.key === Qt.Key_Left ? -1 : 1);
        else if (event.key === Qt.Key_Return || event.key === Qt.Key_Enter)
            view.enterControls();
        else if (event.key === Qt.Key_Menu || (event.key === Qt.Key_F10 && event.modifiers & Qt.ShiftModifier))
            menu.popup(view, Theme.s32, Theme.s32);
        else if (event.key === Qt.Key_Escape && !transcript.onTurn)
            event.accepted = view.leaveControls();
        else
            event.accepted = false;
    }
    // The focus is on a turn itself, not on one of its controls.
    readonly property bool onTurn: view.currentItem !== null && view.currentItem.activeFocus

    Columns {
        id: placing

        width: transcript.width
    }
    ListView {
        id: view

        property bool following: true
        property int focusedRow: -1
        readonly property string focusedTurn: focusedRow >= 0 && transcript.activeFocus ? turnAt(focusedRow) : ""

        anchors.fill: parent
        focus: true
        clip: true
        reuseItems: true
        cacheBuffer: Math.max(0, height)
        boundsBehavior: Flickable.StopAtBounds
        pixelAligned: true
        keyNavigationEnabled: false
        currentIndex: focusedRow
        highlightFollowsCurrentItem: false
        Accessible.name: transcript.Accessible.name
        model: transcript.chat.transcript

        function turnAt(row: int): string {
            const item = itemAtIndex(row) as TurnRow;
            return item ? item.turnId : "";
        }
        function stick(): void {
            if (!following || count === 0)
                return;
            forceLayout();
            positionViewAtEnd();
        }
        function distanceToEnd(): real {
            const last = itemAtIndex(count - 1);
            return last ? last.y + last.height - contentY - height : height;
        }
        function page(direction: int): void {
            contentY = Math.max(originY, Math.min(originY + contentHeight - height, contentY + direction * (height - Theme.s48)));
            following = direction > 0 && distanceToEnd() <= Theme.stickDistance;
            transcript.keepPlace();
        }
        function enterControls(): void {
            const next = transcript.chat.transcript.nextTurn(focusedRow);
            const footer = itemAtIndex(next > focusedRow ? next - 1 : count - 1) as TurnRow;
            if (footer)
                footer.focusControls();
        }
        function leaveControls(): bool {
            if (!currentItem)
                return false;
            currentItem.forceActiveFocus(Qt.OtherFocusReason);
            return true;
        }

        onContentYChanged: if (moving) following = distanceToEnd() <= Theme.stickDistance
        onMovementEnded: transcript.keepPlace()
        onHeightChanged: stick()
        // Only a sign that something grew; its value is an estimate and is never used.
        onContentHeightChanged: settle.restart()
        onWidthChanged: settle.restart()
        onActiveFocusChanged: if (activeFocus && focusedRow < 0 && count > 0) focusedRow = transcript.lastTurn()

        delegate: TurnRow {
            width: ListView.view ? ListView.view.width : 0
            chat: transcript.chat
            frame: placing
            turnFocused: turnId === view.focusedTurn
            ringShown: turnFocused && transcript.byKeys
            turnHovered: turnId === transcript.hoveredTurn
            onHoverChanged: hovered => { if (hovered) transcript.hoveredTurn = turnId; }
        }
    }
    TranscriptBar {
        view: view
        anchors.right: parent.right
        anchors.top: parent.top
        anchors.bottom: parent.bottom
        onMoved: transcript.keepPlace()
    }
    SelectionArea {
        anchors.fill: view
        anchors.rightMargin: Theme.scrollBar
        view: view
        chat: transcript.chat
        onScrolledUp: view.following = false
        onPressedAt: row => {
            view.focusedRow = row;
            view.leaveControls();
            transcript.byKeys = false;
        }
        onMenuWanted: (x, y) => menu.popup(view, x, y)
        onLinkClicked: (url, x, y) => link.ask(url, x, y)
    }
    TranscriptMenu {
        id: menu

        chat: transcript.chat
        onCopyWanted: transcript.copy()
    }
    LinkPopover {
        id: link

        app: transcript.app
    }
    // Several changes of one frame are one step of the view.
    Timer {
        id: settle

        interval: 0
        onTriggered: view.stick()
    }
    Connections {
        target: transcript.chat

        function onOpened(): void {
            transcript.restorePlace();
            settle.restart();
        }
        function onSent(): void {
            transcript.toEnd();
            settle.restart();
        }
    }
    Connections {
        target: transcript.chat.transcript

        function onDataChanged(): void {
            settle.restart();
        }
        function onCountChanged(): void {
            settle.restart();
        }
    }
}
